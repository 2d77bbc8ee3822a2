// SPDX-License-Identifier: MIT
#pragma once

// Whether a picture is XML. No parser of its own is worth a dependency: we write a small part of
// XML, and this refuses whatever is not of that part.

#include <stddef.h>

// One element at the top; tags close in order; attributes are quoted and each is there once;
// entities are those of XML; characters are those XML allows. The test fails when one does not
// hold.
void expect_xml(const char *s);

// How often the text is there.
size_t xml_count(const char *text, const char *what);
