// A room, a heater, an hour of minutes. node clients/javascript/examples/thermostat.mjs ws://127.0.0.1:7777
// and beside it: rewardloop rl train --env remote:7777 --algo ppo --eval-episodes 0

import { box, random, serve } from "../rewardloop-remote.mjs";

const WANTED = 21;

class Thermostat {
  // The room and the air outside in °C; how much of the heater's power.
  observationSpace = box([2], [-30, -30], [60, 60]);
  actionSpace = box([1], 0, 1);

  reset(seed) {
    this.next = random(seed ?? Date.now());
    this.minute = 0;
    this.room = 15 + 5 * this.next();
    this.outside = -5 + 15 * this.next();
    return { observation: [this.room, this.outside] };
  }

  step([power]) {
    this.minute += 1;
    this.room += 1.5 * power - 0.03 * (this.room - this.outside) + 0.1 * (this.next() - 0.5);
    const reward = -Math.abs(this.room - WANTED) - 0.2 * power;
    const truncated = this.minute >= 60;
    return { observation: [this.room, this.outside], reward, terminated: false, truncated };
  }
}

const [url = "ws://127.0.0.1:7777", token = ""] = process.argv.slice(2);
await serve(new Thermostat(), { url, token, name: "thermostat", say: console.log });
