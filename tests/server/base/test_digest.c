// SPDX-License-Identifier: MIT
#include "server/base/digest.h"
#include "tests/harness.h"

#include <string.h>

// FIPS 180-2's examples.
static const struct {
    const char *text, *digest;
} known[] = {
    {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
};

LOOP_TEST(a_digest_is_that_of_the_standard_however_it_is_cut, 3)
{
    char out[DIGEST_TEXT];
    const char *text = known[_i].text;
    size_t len = strlen(text);
    for (size_t cut = 0; cut <= len; cut++) {
        const struct digest_part part[] = {{text, cut}, {text + len, 0}, {text + cut, len - cut}};
        digest_of(part, 3, out);
        ck_assert_str_eq(out, known[_i].digest);
    }
}
