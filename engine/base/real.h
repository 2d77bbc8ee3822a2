// SPDX-License-Identifier: MIT
#pragma once

// The scalar of all tensors: float, or double in the checking build (MODE=f64), where every
// derivative is compared with differences. Include this instead of <math.h> in numerical code:
// tgmath picks expf or exp by the argument's type.

#include <tgmath.h>

#ifdef MLPD_F64
typedef double real;
#else
typedef float real;
#endif
