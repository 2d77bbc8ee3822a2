// SPDX-License-Identifier: MIT
// See digest.h.

#include "digest.h"

#include <nettle/sha2.h>

void digest_of(const struct digest_part *part, size_t n, char out[static DIGEST_TEXT])
{
    static const char digit[] = "0123456789abcdef";
    struct sha256_ctx sha;
    uint8_t byte[SHA256_DIGEST_SIZE];
    sha256_init(&sha);
    for (size_t i = 0; i < n; i++)
        sha256_update(&sha, part[i].len, part[i].bytes);
    sha256_digest(&sha, sizeof byte, byte);
    for (size_t i = 0; i < sizeof byte; i++) {
        out[2 * i] = digit[byte[i] >> 4];
        out[2 * i + 1] = digit[byte[i] & 15];
    }
    out[2 * sizeof byte] = '\0';
}
