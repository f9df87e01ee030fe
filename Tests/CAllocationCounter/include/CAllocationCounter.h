#ifndef CALLOCATIONCOUNTER_H
#define CALLOCATIONCOUNTER_H
/// Allocations the calling thread has made since it started: calls of malloc, calloc, realloc and the aligned ones.
unsigned long allocation_count(void);
/// Bytes of the heap the whole process has in use now.
unsigned long live_heap_bytes(void);
#endif
