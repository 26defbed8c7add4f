/** Durations and other numbers, by name. */
export class Times {
  #all = new Map()

  note(name, value) {
    this.#all.set(name, [...(this.#all.get(name) ?? []), value])
  }

  /** Runs something, and notes how long it took, in ms. */
  async time(name, action) {
    const start = performance.now()
    const result = await action()
    this.note(name, performance.now() - start)
    return result
  }

  /** `NaN` if nothing was noted. */
  median(name) {
    return middle(this.#all.get(name) ?? [])
  }

  get names() {
    return [...this.#all.keys()]
  }

  clear() {
    this.#all.clear()
  }
}

/** The median of numbers; `NaN` without any. */
export function middle(values) {
  return values.toSorted((one, other) => one - other)[values.length >> 1] ?? Number.NaN
}
