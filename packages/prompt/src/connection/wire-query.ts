import type { Client, DatabaseError } from 'pg'
import { CopyOut } from './copy-out.ts'

/** A column of a result. */
export interface Field {
  readonly name: string
  readonly dataTypeID: number
}

/** The result of one statement, with values that are the server's own text. */
export interface TextResult {
  /** The command's tag, such as `INSERT 0 1`. */
  readonly tag: string
  /** Whether the statement returns rows, if only none. */
  readonly returnsRows: boolean
  readonly fields: readonly Field[]
  readonly rows: readonly (readonly (string | null)[])[]
  /** Whether it was `COPY … TO STDOUT`. */
  readonly hasWritten: boolean
}

/** What happens to what the server sends, and where it gets data from. */
export interface QueryHandler {
  /** Takes the result of a statement. The next one is given when this resolves. */
  readonly onResult: (result: TextResult) => Promise<void>
  /** Takes a piece of the data of `COPY … TO STDOUT`. Resolves when there is room for more. */
  readonly write: (data: Buffer) => Promise<void>
  /** Returns the data of `COPY … FROM STDIN`. Throws if there is no source. */
  readonly read: () => AsyncIterable<Uint8Array>
}

/** The members of node-postgres's connection that are used here, and that its types lack. */
interface WireConnection {
  readonly stream: {
    readonly writableNeedDrain: boolean
    once(event: 'drain' | 'close', listener: () => void): unknown
    pause(): void
    resume(): void
  }
  query(text: string): void
  once(event: 'readyForQuery', listener: () => void): unknown
  on(event: 'copyOutResponse', listener: () => void): unknown
  off(event: 'copyOutResponse', listener: () => void): unknown
  sendCopyFromChunk(chunk: Buffer): void
  endCopyFrom(): void
  sendCopyFail(message: string): void
}

/**
 * One message of SQL, which may have several statements, by PostgreSQL's simple protocol.
 *
 * It is a query for node-postgres's `client.query`. It gives the results one after the other, and those before an error too.
 */
export class WireQuery {
  readonly #text: string
  readonly #handler: QueryHandler
  #client: Client | null = null
  #connection: WireConnection | null = null
  #settle: (error: Error | null) => void = () => undefined
  #fields: readonly Field[] | null = null
  #rows: (string | null)[][] = []
  /** The data of the COPY that is being received. */
  #copyOut: CopyOut | null = null
  #failed = false
  /** What is to be done with what has arrived so far. */
  #work: Promise<void> = Promise.resolve()
  /** The data that are being sent. */
  #sending: Promise<void> = Promise.resolve()

  constructor(text: string, handler: QueryHandler) {
    this.#text = text
    this.#handler = handler
  }

  /** Resolves when the server is ready for the next query. Rejects with the server's error, or that of a handler. */
  async run(client: Client): Promise<void> {
    const error = await new Promise<Error | null>((resolve) => {
      this.#settle = resolve
      this.#client = client
      void client.query(this as unknown as Parameters<Client['query']>[0])
    })
    this.#connection?.off('copyOutResponse', this.#beginCopyOut)
    await this.#work
    await this.#copyOut?.done()
    await this.#sending
    if (error !== null) throw error
  }

  submit(connection: WireConnection): null {
    this.#connection = connection
    connection.on('copyOutResponse', this.#beginCopyOut)
    connection.query(this.#text)
    return null
  }

  handleRowDescription({ fields }: { fields: readonly Field[] }): void {
    this.#fields = fields.map(({ name, dataTypeID }) => ({ name, dataTypeID }))
  }

  handleDataRow({ fields }: { fields: (string | null)[] }): void {
    this.#rows.push(fields)
  }

  handleCommandComplete({ text }: { text: string }): void {
    const result: TextResult = {
      tag: text,
      returnsRows: this.#fields !== null,
      fields: this.#fields ?? [],
      rows: this.#rows,
      hasWritten: this.#copyOut !== null,
    }
    this.#fields = null
    this.#rows = []
    const copyOut = this.#copyOut
    this.#copyOut = null
    this.#then(async () => {
      await copyOut?.done()
      await this.#handler.onResult(result)
    })
  }

  handleEmptyQuery(): void {}

  handlePortalSuspended(): void {}

  handleCopyData({ chunk }: { chunk: Buffer }): void {
    // The piece is in the connection's buffer, which is reused.
    this.#copyOut?.take(Buffer.from(chunk))
  }

  readonly #beginCopyOut = (): void => {
    const { stream } = this.#connection as WireConnection
    this.#copyOut = new CopyOut(this.#handler.write, stream, this.#work)
  }

  handleCopyInResponse(connection: WireConnection): void {
    this.#sending = this.#send(connection).then(
      () => connection.endCopyFrom(),
      (error: unknown) => connection.sendCopyFail((error as Error).message),
    )
  }

  handleError(error: Error): void {
    this.#failed = true
    const settle = () => this.#settle(error)
    // After its error, the server says that it is ready, or ends the connection.
    if (!isOfServer(error) || this.#connection === null) return settle()
    this.#connection.once('readyForQuery', settle)
    this.#client?.once('end', settle)
  }

  handleReadyForQuery(): void {
    this.#settle(null)
  }

  #then(action: () => Promise<void>): void {
    this.#work = this.#work.then(action)
    // Who waits for it all sees the failure.
    this.#work.catch(() => undefined)
  }

  /** Reads all data, also after an error: in a script, the next statement follows them. */
  async #send(connection: WireConnection): Promise<void> {
    const { stream } = connection
    for await (const piece of this.#handler.read()) {
      if (this.#failed) continue
      connection.sendCopyFromChunk(Buffer.from(piece))
      if (!stream.writableNeedDrain) continue
      await new Promise<void>((resolve) => {
        stream.once('drain', resolve)
        stream.once('close', resolve)
      })
    }
  }
}

/** Whether the server has sent this error. */
export function isOfServer(error: Error): error is DatabaseError {
  return 'severity' in error && typeof error.severity === 'string'
}
