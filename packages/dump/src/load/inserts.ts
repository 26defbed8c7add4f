import type { ScannedStatement } from './reading/statement-scanner.ts'

/** How much is gathered, in characters. */
const limit = 65_536

/** Gathers `INSERT` statements that follow each other. They run as one query, because each wait for an answer takes longer than an `INSERT`. */
export class Inserts {
  #gathered: ScannedStatement[] = []
  #length = 0

  /** `false`: the statement is something else. */
  add(statement: ScannedStatement): boolean {
    if (statement.kind !== 'sql' || !/^insert\s/i.test(statement.text)) return false
    this.#gathered.push(statement)
    this.#length += statement.text.length
    return true
  }

  get isFull(): boolean {
    return this.#length >= limit
  }

  take(): ScannedStatement[] {
    const taken = this.#gathered
    this.#gathered = []
    this.#length = 0
    return taken
  }
}

/** Whether a statement begins (`true`) or ends (`false`) a transaction; `null` if it does neither. */
export function transactionAfter(text: string): boolean | null {
  if (/^(?:begin|start\s+transaction)\b|\band\s+chain$/i.test(text)) return true
  if (/^(?:commit|end|abort|rollback|prepare\s+transaction)\b(?!.*\sto\s)/is.test(text))
    return false
  return null
}
