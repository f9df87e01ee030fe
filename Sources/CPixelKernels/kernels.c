#include "CPixelKernels.h"
typedef int CPixelKernelsEmpty;
