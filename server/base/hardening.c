// SPDX-License-Identifier: MIT
// What nobody can tell from the machine code, for tests/binary.sh and for whoever audits a binary:
// `readelf -p .mlpd.build mlpd`. Nothing in the program reads it.

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)

__attribute__((used, section(".mlpd.build"))) static const char fortify[] =
    "_FORTIFY_SOURCE=" TEXT(_FORTIFY_SOURCE);
