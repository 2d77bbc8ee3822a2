// SPDX-License-Identifier: MIT
// See digest.h.

#include "server/base/digest.h"

#include <nettle/sha2.h>

enum { PIECE = 1 << 20 };

bool digest_long(const struct digest_part *part, size_t n, char out[static DIGEST_TEXT],
                 const struct halt *halt, struct err *e)
{
    static const char digit[] = "0123456789abcdef";
    struct sha256_ctx sha;
    uint8_t byte[SHA256_DIGEST_SIZE];
    sha256_init(&sha);
    for (size_t i = 0; i < n; i++)
        for (size_t at = 0, left; (left = part[i].len - at); at += left < PIECE ? left : PIECE) {
            if (!halt_go_on(halt, e))
                return false;
            sha256_update(&sha, left < PIECE ? left : PIECE, (const uint8_t *)part[i].bytes + at);
        }
    sha256_digest(&sha, sizeof byte, byte);
    for (size_t i = 0; i < sizeof byte; i++) {
        out[2 * i] = digit[byte[i] >> 4];
        out[2 * i + 1] = digit[byte[i] & 15];
    }
    out[2 * sizeof byte] = '\0';
    return true;
}

void digest_of(const struct digest_part *part, size_t n, char out[static DIGEST_TEXT])
{
    digest_long(part, n, out, NULL, NULL);
}
