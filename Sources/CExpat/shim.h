#ifndef CEXPAT_SHIM_H
#define CEXPAT_SHIM_H
#include <expat.h>

/* XML_Status is an enum of the header's; Swift sees an int here. */
static inline int tutti_expat_parse(XML_Parser parser, const char *bytes, int count) {
  return XML_Parse(parser, bytes, count, 1) == XML_STATUS_OK;
}

#endif
