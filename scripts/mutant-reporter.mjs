// Tells of each mutant at once, so that a run that is broken off has told something.
class Survivors {
  #judged = 0
  #noticed = 0

  onMutantTested({ status, fileName, location, replacement, mutatorName }) {
    const isNoticed = status === 'Killed' || status === 'Timeout'
    if (status === 'Ignored') return
    this.#judged += 1
    if (isNoticed) this.#noticed += 1
    const { line, column } = location.start
    const what = isNoticed
      ? ''
      : ` ${status} ${mutatorName}: ${replacement.replaceAll(/\s+/g, ' ')}`
    const place = `${fileName.replace(/^.*packages\//, '')}:${line}:${column}`
    console.log(`${this.#noticed}/${this.#judged} ${place}${what}`)
  }
}

export const strykerPlugins = [{ kind: 'Reporter', name: 'survivors', injectableClass: Survivors }]
