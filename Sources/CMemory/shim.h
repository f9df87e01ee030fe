// What the processor offers for its caches and Swift does not.
#ifndef CMEMORY_SHIM_H
#define CMEMORY_SHIM_H

// Asks for all lines of cache of some memory; never faults, whatever the address.
static inline void shim_prefetch(const void *address, long bytes) {
  const char *end = (const char *)address + bytes;
  for (const char *line = (const char *)((unsigned long)address & ~63ul); line < end; line += 64) __builtin_prefetch(line);
}
#endif
