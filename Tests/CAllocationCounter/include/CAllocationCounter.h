#ifndef CALLOCATIONCOUNTER_H
#define CALLOCATIONCOUNTER_H
/// Allocations the calling thread has made since it started: calls of malloc, calloc, realloc and the aligned ones.
unsigned long allocation_count(void);
#endif
