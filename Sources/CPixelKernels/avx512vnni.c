#include "kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define SAMPLES_TARGET "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni"
// It does not saturate, so the bits are those of a multiply-add and an addition.
#define MULTIPLY_ADD(sum, a, b) _mm512_dpwssd_epi32(sum, a, b)
#include "avx512samples.h"

static const pk_kernels avx512vnni = {
    .name = "avx512vnni",
    .weigh_rows = pk_avx512_weigh_rows,
    .weigh_samples = weigh_samples,
    .halve = pk_avx512_halve,
    .quarter = pk_avx512_quarter,
    .blend = pk_avx512_blend,
    .transpose = pk_sse2_transpose,
};

const pk_kernels *pk_avx512vnni(void) {
  return pk_avx512() && __builtin_cpu_supports("avx512vnni") ? &avx512vnni : NULL;
}

#else
const pk_kernels *pk_avx512vnni(void) { return NULL; }
#endif
