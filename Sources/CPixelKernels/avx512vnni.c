#include "kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define SAMPLES_NAME pk_avx512vnni_weigh_samples
#define SAMPLES_TARGET "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni"
// It does not saturate, so the bits are those of a multiply-add and an addition.
#define MULTIPLY_ADD(sum, a, b) _mm512_dpwssd_epi32(sum, a, b)
#include "avx512samples.h"
#endif
