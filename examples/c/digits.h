/* Digits: 8x8x1 -> 10. Made by `c_api!` of the Rust crate unrolled. */

#ifndef DIGITS_H
#define DIGITS_H

#include <stdint.h>

/* Elements of the input, of the output and of the workspace. */
#define DIGITS_INPUT_LEN 64
#define DIGITS_OUTPUT_LEN 10
#define DIGITS_WORKSPACE_LEN 80

#ifdef __cplusplus
extern "C" {
#endif

/* Inference on one sample, with the weights in the library. x has the elements of the input, channels last; y
   receives those of the output. Several threads may call at once; each needs a workspace of its own.
   Returns 0; 1 if a pointer is null or not aligned; 2 if the network refuses the input, such as a token that is not
   in its vocabulary; 3 after an error in the library. */
int digits_forward(const float *x, float *y);
int digits_forward_in(float *workspace, const float *x, float *y);

#ifdef __cplusplus
}
#endif

#endif
