import { LockedDocument, StoreError, type WaitOptions } from '@howdah/store'
import { RegistryError } from './errors.ts'
import { emptyTable, tableSchema, type TableDocument } from './table-document.ts'

/** The recovery of a damaged table. */
export interface TableRecovery {
  /** The path of the table. */
  readonly path: string
  /** What was wrong with the table. */
  readonly error: Error
  /** The path where the damaged file is kept. */
  readonly damaged: string
}

/** The file of a table. If it is damaged, it is recovered, and the recovery is reported. */
export class RegistryDocument {
  readonly #document: LockedDocument<TableDocument>
  readonly #onRecovery: (recovery: TableRecovery) => void

  constructor(path: string, durable: boolean, onRecovery: (recovery: TableRecovery) => void) {
    this.#document = new LockedDocument(path, {
      empty: emptyTable,
      schema: tableSchema,
      // What callers give is checked before it enters the table.
      checkChanges: false,
      durable,
    })
    this.#onRecovery = onRecovery
  }

  get path(): string {
    return this.#document.path
  }

  async read(): Promise<TableDocument> {
    return this.#attempt('read', {}, () => this.#document.read())
  }

  async update<Result>(
    change: (table: TableDocument) => Result,
    options: WaitOptions,
  ): Promise<Result> {
    return this.#attempt('change', options, () => this.#document.update(change, options))
  }

  async #attempt<Result>(
    doing: string,
    options: WaitOptions,
    action: () => Promise<Result>,
  ): Promise<Result> {
    try {
      try {
        return await action()
      } catch (error) {
        if (!isDamage(error)) throw error
        await this.#recover(options)
        return await action()
      }
    } catch (error) {
      throw error instanceof StoreError ? tableError(error, doing, this.path) : error
    }
  }

  async #recover(options: WaitOptions): Promise<void> {
    const { outcome, error, damaged } = await this.#document.recover(options)
    // If the document is intact, another process has recovered it.
    if (outcome === 'recovered' && error !== null && damaged !== null)
      this.#onRecovery({ path: this.path, error, damaged })
  }
}

/** Reports a recovery by a process warning; used without the option `onRecovery`. */
export function warnOfRecovery({ path, error, damaged }: TableRecovery): void {
  process.emitWarning(
    `the table of allocations ${path} was damaged and has been recovered: ${error.message}. ` +
      `What was there is kept as ${damaged}`,
    { type: 'RegistryWarning', code: 'REGISTRY_RECOVERED' },
  )
}

function isDamage(error: unknown): boolean {
  return (
    error instanceof StoreError &&
    ['ERR_STORE_DOCUMENT_DAMAGED', 'ERR_STORE_INVALID_STATE'].includes(error.code)
  )
}

function tableError(cause: StoreError, doing: string, path: string): RegistryError {
  const [code, remedy] =
    cause.code === 'ERR_STORE_LOCK_TIMEOUT'
      ? (['ERR_REGISTRY_TIMEOUT', 'wait longer'] as const)
      : cause.code === 'ERR_STORE_DOCUMENT_LOST'
        ? ([
            'ERR_REGISTRY_DAMAGED',
            `see that no process of the table runs, and remove ${path}`,
          ] as const)
        : (['ERR_REGISTRY_TABLE', 'see the cause'] as const)
  const message = `cannot ${doing} the table of allocations ${path}: ${cause.message}; ${remedy}`
  return new RegistryError(code, message, { cause })
}
