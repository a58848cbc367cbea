/** Version of the protocol, docs/remote-environments.md. */
export const PROTOCOL: 1;

export type Bound = number | "inf" | "-inf";
export type Dtype = "float32" | "float64" | "uint8" | "int8" | "int16" | "int32" | "int64";
export type Space =
  | { type: "box"; shape: number[]; low: Bound | Bound[]; high: Bound | Bound[]; dtype?: Dtype }
  | { type: "discrete"; n: number; start?: number }
  | { type: "multi_discrete"; nvec: number[] }
  | { type: "multi_binary"; n: number }
  | { type: "dict"; spaces: Record<string, Space> };

/** A number for a discrete space, numbers flat by rows for the others (base64 of bytes for `uint8`), an object for a dict. */
export type Value = number | number[] | string | { [name: string]: Value };

export interface Begun {
  observation: Value;
  /** What is possible now, where the simulator says `masks: true`. */
  masks?: boolean[];
}

export interface Outcome extends Begun {
  reward: number;
  terminated: boolean;
  truncated: boolean;
  /** With the last step of an episode: what was measured, by name. */
  metrics?: Record<string, number>;
}

export interface Simulator {
  observationSpace: Space;
  actionSpace: Space;
  masks?: boolean;
  /** A new episode, decided by the seed where there is one. */
  reset(seed: number | null, options: Record<string, unknown> | null): Begun | Promise<Begun>;
  step(action: Value): Outcome | Promise<Outcome>;
}

export interface Options {
  /** Such as `ws://127.0.0.1:7777`. */
  url: string;
  name: string;
  version?: string;
  token?: string;
  /** Seconds without a trainer; 3600 unless said otherwise. */
  giveUpAfter?: number;
  say?: (line: string) => void;
  signal?: AbortSignal;
}

/** Serves until nobody wants it. Rejects with `Refused`, or with what the simulator throws. */
export function serve(simulator: Simulator, options: Options): Promise<void>;
export class Refused extends Error {}
/** Numbers from 0 to 1 that the seed decides. */
export function random(seed: number): () => number;
export function box(shape: number[], low: Bound | Bound[], high: Bound | Bound[], dtype?: Dtype): Space;
export function discrete(n: number): Space;
export function multiDiscrete(nvec: number[]): Space;
export function multiBinary(n: number): Space;
export function dict(spaces: Record<string, Space>): Space;
