/* Whether a text is XML that parsers take: tags that open and close in order, quoted attributes
 * given once, references that exist, one root. What SVG files need, not all of XML: no DOCTYPE, no
 * CDATA. */
#ifndef WEFT_TESTS_XML_CHECK_H
#define WEFT_TESTS_XML_CHECK_H

#include <stdbool.h>
#include <stddef.h>

/* Fills `why` where the answer is no. */
bool xml_check(const char *text, char *why, size_t size);

#endif
