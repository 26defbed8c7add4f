/** Tracks open parentheses and blocks in a statement, within which a semicolon does not end it. */
export class Nesting {
  #parentheses = 0
  /** `BEGIN` and `CASE` without their `END`, in the body of a function. */
  #blocks = 0
  /** The first words, by which such a function is recognized. */
  #opening = ''

  /** Whether a semicolon here ends the statement. */
  get atTop(): boolean {
    return this.#parentheses <= 0 && this.#blocks === 0
  }

  /** Takes the next token. */
  take(token: string): void {
    if (token === '(') this.#parentheses += 1
    else if (token === ')') this.#parentheses -= 1
    else if (/^[A-Za-z]/.test(token)) this.#takeWord(token.toLowerCase())
  }

  #takeWord(text: string): void {
    if (this.#opening.length < 40) this.#opening += `${text} `
    if (
      !/^create (?:or replace )?(?:function|procedure) /.test(this.#opening) ||
      this.#parentheses > 0
    )
      return
    if (text === 'begin' || (text === 'case' && this.#blocks > 0)) this.#blocks += 1
    else if (text === 'end' && this.#blocks > 0) this.#blocks -= 1
  }
}
