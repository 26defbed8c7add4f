import {
  type Client,
  Query,
  type QueryArrayConfig,
  type QueryArrayResult,
  type QueryConfig,
} from 'pg'

/** The destination of the data of `COPY … TO STDOUT`, and the source of the data of `COPY … FROM STDIN`. */
export interface CopyStreams {
  /** Writes a piece, and resolves when there is room for more. */
  readonly write: (data: Buffer) => Promise<void>
  /** Returns the data when the server asks for it. Throws if there is no source. */
  readonly read: () => AsyncIterable<string | Buffer> | Iterable<string | Buffer>
}

/** The members of node-postgres's connections for COPY, which its types lack. */
interface CopyConnection {
  readonly stream: {
    readonly writableNeedDrain: boolean
    once(event: 'drain' | 'close', listener: () => void): unknown
    pause(): void
    resume(): void
  }
  sendCopyFromChunk(chunk: Buffer): void
  endCopyFrom(): void
  sendCopyFail(message: string): void
}

/** The members of node-postgres's queries that its types lack. */
declare module 'pg' {
  interface Query {
    _result: { command: string }
    callback: (error: Error | null, answer: QueryArrayResult | QueryArrayResult[]) => void
    handleCommandComplete(message: { text: string }, connection: unknown): void
  }
}

/** SQL whose COPY reads and writes streams, as it does in psql. */
export class CopyingQuery extends Query {
  readonly #streams: CopyStreams
  #written: Promise<void> | null = null
  #failed = false

  constructor(config: QueryArrayConfig, streams: CopyStreams) {
    super(config as QueryConfig)
    this.#streams = streams
  }

  /** Runs the SQL. Returns the result of each statement, except of a COPY that has written its data. */
  async run(client: Client): Promise<QueryArrayResult[]> {
    const answer = await new Promise<QueryArrayResult | QueryArrayResult[]>((resolve, reject) => {
      this.callback = (error, result) => (error ? reject(error) : resolve(result))
      client.query(this)
    }).catch((error: unknown) => {
      this.#failed = true
      throw error
    })
    await this.#written
    const results = Array.isArray(answer) ? answer : [answer]
    return results.filter(({ command }) => command !== 'COPY' || this.#written === null)
  }

  /** Keeps all words of the command (`CREATE TABLE`). Node-postgres keeps only the first. */
  override handleCommandComplete(message: { text: string }, connection: unknown): void {
    super.handleCommandComplete(message, connection)
    // oxlint-disable-next-line no-underscore-dangle -- It is node-postgres's.
    this._result.command = message.text.replace(/( \d+)+$/, '')
  }

  handleCopyData({ chunk }: { chunk: Buffer }, { stream }: CopyConnection): void {
    // The piece is in the connection's buffer, which is reused.
    const data = Buffer.from(chunk)
    stream.pause()
    this.#written = this.#write(data, this.#written).finally(() => stream.resume())
  }

  async #write(data: Buffer, before: Promise<void> | null): Promise<void> {
    await before
    await this.#streams.write(data)
  }

  handleCopyInResponse(connection: CopyConnection): void {
    this.#send(connection).then(
      () => connection.endCopyFrom(),
      (error: unknown) => connection.sendCopyFail((error as Error).message),
    )
  }

  async #send(connection: CopyConnection): Promise<void> {
    const { stream } = connection
    for await (const piece of this.#streams.read()) {
      // After an error the server accepts no more data.
      if (this.#failed) return
      connection.sendCopyFromChunk(Buffer.from(piece))
      if (!stream.writableNeedDrain) continue
      await new Promise<void>((resolve) => {
        stream.once('drain', resolve)
        stream.once('close', resolve)
      })
    }
  }
}
