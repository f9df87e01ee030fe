// What the processor offers for its caches and Swift does not.
#ifndef CMEMORY_SHIM_H
#define CMEMORY_SHIM_H

// Asks for all lines of cache of some memory; never faults, whatever the address.
static inline void shim_prefetch(const void *address, long bytes) {
  for (long offset = 0; offset < bytes; offset += 64) __builtin_prefetch((const char *)address + offset);
}
#endif
