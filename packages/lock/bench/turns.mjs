/** A way to lock and unlock, measured in turns of three milliseconds once it is warm. */
export class Turns {
  #way
  #times = 1
  #spent = []

  constructor(way) {
    this.#way = way
  }

  /** Warms up, and finds out how often the way goes in a turn. */
  async begin() {
    const end = performance.now() + 300
    while (performance.now() < end) await this.#way()
    await this.take()
    this.#times = Math.ceil(3 / this.#spent.pop())
  }

  /** One turn. */
  async take() {
    const begin = performance.now()
    for (let count = 0; count < this.#times; count++) await this.#way()
    this.#spent.push((performance.now() - begin) / this.#times)
  }

  /** How often a second it goes, by the quickest tenth of the turns: what else the machine does slows none of these. */
  get rate() {
    const sorted = this.#spent.toSorted((one, other) => one - other)
    return 1_000 / sorted[Math.floor(sorted.length / 10)]
  }
}
