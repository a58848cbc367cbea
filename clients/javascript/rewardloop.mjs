// Decide and reward from a page, without dependencies. See docs/client.md.

const PAUSES_MS = [200, 1000];

function newId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export class Rewardloop {
  #url;
  #experiment;
  #headers;

  /** The server's address, the experiment's name, and an API key if the server asks for one: every visitor can read it. */
  constructor(url, experiment, { apiKey } = {}) {
    this.#url = url.replace(/\/+$/, "");
    this.#experiment = experiment;
    this.#headers = { "content-type": "application/json", ...(apiKey && { "x-api-key": apiKey }) };
  }

  /**
   * The server's answer, or after `timeoutMs` (or where it refuses) the default: {event_id, action, index, probability, by_default, …}.
   * It is asked for deferred and activated on arrival: an answer that nobody saw does not count, nor do its rewards.
   */
  async decide(context, { fallback, actions, sticky, timeoutMs = 200 } = {}) {
    const event_id = newId();
    const body = { context, event_id, deferred: true, ...(actions && { actions }), ...(sticky && { sticky }) };
    try {
      const path = `/v1/experiments/${encodeURIComponent(this.#experiment)}/decide`;
      const response = await this.#post(path, body, { signal: AbortSignal.timeout(timeoutMs) });
      const decided = await response.json();
      this.#tell(`/v1/events/${event_id}/activate`, { experiment: this.#experiment });
      return { ...decided, by_default: false };
    } catch (error) {
      if (fallback === undefined) throw error;
      return { event_id, action: fallback, index: -1, probability: 0, by_default: true };
    }
  }

  /** Whether the reward was recorded. It is sent though the page is left (keepalive), and again where that may help; it counts once. */
  reward(eventId, reward, { rewardId = newId(), final = false } = {}) {
    const told = { event_id: eventId, experiment: this.#experiment, reward, reward_id: rewardId, final };
    return this.#tell("/v1/rewards", told);
  }

  async #tell(path, body) {
    for (const pause of [...PAUSES_MS, null]) {
      try {
        await this.#post(path, body, { keepalive: true });
        return true;
      } catch (error) {
        if (pause === null || (error.status && error.status < 500 && error.status !== 429)) return false;
        await new Promise((resolve) => setTimeout(resolve, pause));
      }
    }
  }

  async #post(path, body, options) {
    const response = await fetch(this.#url + path, {
      method: "POST",
      headers: this.#headers,
      body: JSON.stringify(body),
      credentials: "omit",
      ...options,
    });
    if (response.ok) return response;
    const { detail } = await response.json().catch(() => ({}));
    throw Object.assign(new Error(detail ?? `HTTP ${response.status}`), { status: response.status });
  }
}
