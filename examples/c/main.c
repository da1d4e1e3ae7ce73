/* Classifies one image, twice: with memory of the library, and with its own. */
#include "digits.h"
#include <stdio.h>

/* A zero: pixels from 0 (paper) to 16 (ink). */
static const unsigned char pixels[DIGITS_INPUT_LEN] = {
    0, 0, 5, 13, 9, 1, 0, 0,
    0, 0, 13, 15, 10, 15, 5, 0,
    0, 3, 15, 2, 0, 11, 8, 0,
    0, 4, 12, 0, 0, 8, 8, 0,
    0, 5, 8, 0, 0, 9, 8, 0,
    0, 4, 11, 0, 1, 12, 7, 0,
    0, 2, 14, 5, 10, 12, 0, 0,
    0, 0, 6, 13, 10, 0, 0, 0,
};

int main(void) {
    float x[DIGITS_INPUT_LEN], y[DIGITS_OUTPUT_LEN], again[DIGITS_OUTPUT_LEN];
    static float workspace[DIGITS_WORKSPACE_LEN];
    for (int i = 0; i < DIGITS_INPUT_LEN; i++) x[i] = pixels[i] / 16.0f;

    int status = digits_forward(x, y);
    if (status == 0) status = digits_forward_in(workspace, x, again);
    if (status != 0) {
        fprintf(stderr, "status %d\n", status);
        return 1;
    }
    int best = 0;
    for (int i = 0; i < DIGITS_OUTPUT_LEN; i++) {
        if (y[i] > y[best]) best = i;
        printf("%.9g %.9g\n", y[i], again[i]);
    }
    printf("digit %d\n", best);
    printf("null %d\n", digits_forward(NULL, y));
    return 0;
}
