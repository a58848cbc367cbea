/* The tank of tank.c for FMI 3.0: only the functions that a co-simulation of real numbers needs. */
#include <math.h>
#include <stdlib.h>
#include "fmi3Functions.h"

enum { LEVEL, FLOW, PUMP, DRAIN, START, N };
typedef struct { double v[N]; fmi3LogMessageCallback say; } Tank;

const char *fmi3GetVersion(void) { return "3.0"; }
fmi3Status fmi3Reset(fmi3Instance c) {
    Tank *t = c;
    t->v[LEVEL] = 0; t->v[FLOW] = 0; t->v[PUMP] = 0; t->v[DRAIN] = 0.1; t->v[START] = 1;
    return fmi3OK;
}
fmi3Instance fmi3InstantiateCoSimulation(fmi3String name, fmi3String token, fmi3String resources, fmi3Boolean visible, fmi3Boolean logging,
                                         fmi3Boolean events, fmi3Boolean early, const fmi3ValueReference r[], size_t n,
                                         fmi3InstanceEnvironment env, fmi3LogMessageCallback say, fmi3IntermediateUpdateCallback update) {
    Tank *t = calloc(1, sizeof(Tank));
    t->say = say;
    fmi3Reset(t);
    return t;
}
void fmi3FreeInstance(fmi3Instance c) { free(c); }
fmi3Status fmi3EnterInitializationMode(fmi3Instance c, fmi3Boolean d, fmi3Float64 tol, fmi3Float64 start, fmi3Boolean s, fmi3Float64 stop) { return fmi3OK; }
fmi3Status fmi3ExitInitializationMode(fmi3Instance c) { Tank *t = c; t->v[LEVEL] = t->v[START]; return fmi3OK; }
fmi3Status fmi3Terminate(fmi3Instance c) { return fmi3OK; }
fmi3Status fmi3GetFloat64(fmi3Instance c, const fmi3ValueReference r[], size_t n, fmi3Float64 x[], size_t m) {
    for (size_t i = 0; i < n; i++) x[i] = ((Tank *)c)->v[r[i]];
    return fmi3OK;
}
fmi3Status fmi3SetFloat64(fmi3Instance c, const fmi3ValueReference r[], size_t n, const fmi3Float64 x[], size_t m) {
    for (size_t i = 0; i < n; i++) ((Tank *)c)->v[r[i]] = x[i];
    return fmi3OK;
}
fmi3Status fmi3DoStep(fmi3Instance c, fmi3Float64 now, fmi3Float64 step, fmi3Boolean keep, fmi3Boolean *event, fmi3Boolean *end,
                      fmi3Boolean *early, fmi3Float64 *last) {
    Tank *t = c;
    for (double left = step; left > 0; left -= 1) {
        t->v[FLOW] = t->v[DRAIN] * sqrt(fmax(t->v[LEVEL], 0));
        t->v[LEVEL] += fmin(left, 1) * (t->v[PUMP] - t->v[FLOW]);
    }
    *event = *end = *early = 0;
    *last = now + step;
    if (t->v[LEVEL] <= 10) return fmi3OK;
    t->say(0, fmi3Error, "error", "the tank ran over");
    return fmi3Error;
}
