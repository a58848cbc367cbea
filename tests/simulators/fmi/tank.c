/* A tank with a pump and a drain, FMI 2.0 for co-simulation: dh/dt = pump − drain·√h, by Euler in steps of a second. Fails when it runs dry of sense. */
#include <math.h>
#include <stdlib.h>
#include "fmi2Functions.h"

enum { LEVEL, FLOW, PUMP, DRAIN, START, N };
typedef struct { double v[N]; const fmi2CallbackFunctions *call; } Tank;

const char *fmi2GetTypesPlatform(void) { return "default"; }
const char *fmi2GetVersion(void) { return "2.0"; }
fmi2Status fmi2SetDebugLogging(fmi2Component c, fmi2Boolean on, size_t n, const fmi2String names[]) { return fmi2OK; }

fmi2Status fmi2Reset(fmi2Component c) {
    Tank *t = c;
    t->v[LEVEL] = 0; t->v[FLOW] = 0; t->v[PUMP] = 0; t->v[DRAIN] = 0.1; t->v[START] = 1;
    return fmi2OK;
}
fmi2Component fmi2Instantiate(fmi2String name, fmi2Type type, fmi2String guid, fmi2String resources,
                              const fmi2CallbackFunctions *call, fmi2Boolean visible, fmi2Boolean logging) {
    Tank *t = calloc(1, sizeof(Tank));
    t->call = call;
    fmi2Reset(t);
    return t;
}
void fmi2FreeInstance(fmi2Component c) { free(c); }
fmi2Status fmi2SetupExperiment(fmi2Component c, fmi2Boolean d, fmi2Real tol, fmi2Real start, fmi2Boolean s, fmi2Real stop) { return fmi2OK; }
fmi2Status fmi2EnterInitializationMode(fmi2Component c) { return fmi2OK; }
fmi2Status fmi2ExitInitializationMode(fmi2Component c) { Tank *t = c; t->v[LEVEL] = t->v[START]; return fmi2OK; }
fmi2Status fmi2Terminate(fmi2Component c) { return fmi2OK; }
fmi2Status fmi2GetReal(fmi2Component c, const fmi2ValueReference r[], size_t n, fmi2Real x[]) {
    for (size_t i = 0; i < n; i++) x[i] = ((Tank *)c)->v[r[i]];
    return fmi2OK;
}
fmi2Status fmi2SetReal(fmi2Component c, const fmi2ValueReference r[], size_t n, const fmi2Real x[]) {
    for (size_t i = 0; i < n; i++) ((Tank *)c)->v[r[i]] = x[i];
    return fmi2OK;
}
fmi2Status fmi2DoStep(fmi2Component c, fmi2Real now, fmi2Real step, fmi2Boolean keep) {
    Tank *t = c;
    for (double left = step; left > 0; left -= 1) {
        t->v[FLOW] = t->v[DRAIN] * sqrt(fmax(t->v[LEVEL], 0));
        t->v[LEVEL] += fmin(left, 1) * (t->v[PUMP] - t->v[FLOW]);
    }
    if (t->v[LEVEL] > 10) {
        t->call->logger(t->call->componentEnvironment, "tank", fmi2Error, "error", "the tank ran over");
        return fmi2Error;
    }
    return fmi2OK;
}
#define NONE(name, ...) fmi2Status name(fmi2Component c, ##__VA_ARGS__) { return fmi2Error; }
#define REFS const fmi2ValueReference r[], size_t n
NONE(fmi2GetInteger, REFS, fmi2Integer x[]) NONE(fmi2GetBoolean, REFS, fmi2Boolean x[]) NONE(fmi2GetString, REFS, fmi2String x[])
NONE(fmi2SetInteger, REFS, const fmi2Integer x[]) NONE(fmi2SetBoolean, REFS, const fmi2Boolean x[])
NONE(fmi2SetString, REFS, const fmi2String x[]) NONE(fmi2GetFMUstate, fmi2FMUstate *s) NONE(fmi2SetFMUstate, fmi2FMUstate s)
NONE(fmi2FreeFMUstate, fmi2FMUstate *s) NONE(fmi2SerializedFMUstateSize, fmi2FMUstate s, size_t *n)
NONE(fmi2SerializeFMUstate, fmi2FMUstate s, fmi2Byte b[], size_t n) NONE(fmi2DeSerializeFMUstate, const fmi2Byte b[], size_t n, fmi2FMUstate *s)
NONE(fmi2GetDirectionalDerivative, REFS, const fmi2ValueReference k[], size_t m, const fmi2Real d[], fmi2Real x[])
NONE(fmi2SetRealInputDerivatives, REFS, const fmi2Integer o[], const fmi2Real x[])
NONE(fmi2GetRealOutputDerivatives, REFS, const fmi2Integer o[], fmi2Real x[]) NONE(fmi2CancelStep)
NONE(fmi2GetStatus, const fmi2StatusKind k, fmi2Status *s) NONE(fmi2GetRealStatus, const fmi2StatusKind k, fmi2Real *x)
NONE(fmi2GetIntegerStatus, const fmi2StatusKind k, fmi2Integer *x) NONE(fmi2GetBooleanStatus, const fmi2StatusKind k, fmi2Boolean *x)
NONE(fmi2GetStringStatus, const fmi2StatusKind k, fmi2String *x)
