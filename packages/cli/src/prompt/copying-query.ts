import {
  type Client,
  Query,
  type QueryArrayConfig,
  type QueryArrayResult,
  type QueryConfig,
} from 'pg'

/** Where the data of `COPY … TO STDOUT` goes, and that of `COPY … FROM STDIN` comes from. */
export interface CopyStreams {
  /** Takes a piece, and resolves when there is room for more. */
  readonly write: (data: Buffer) => Promise<void>
  /** Gives the data, when the server asks for it. Throws if there is none to give. */
  readonly read: () => AsyncIterable<string | Buffer> | Iterable<string | Buffer>
}

/** What node-postgres's connections have for COPY, and its types do not tell. */
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

/** What node-postgres's queries have, and its types do not tell. */
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

  /** Runs it, and gives the result of each statement in it, except of the COPY that has written its data. */
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

  /** Keeps all words of the command (`CREATE TABLE`), of which node-postgres keeps the first. */
  override handleCommandComplete(message: { text: string }, connection: unknown): void {
    super.handleCommandComplete(message, connection)
    // oxlint-disable-next-line no-underscore-dangle -- It is node-postgres's.
    this._result.command = message.text.replace(/( \d+)+$/, '')
  }

  handleCopyData({ chunk }: { chunk: Buffer }, { stream }: CopyConnection): void {
    // The piece lies in the connection's buffer, which is used again.
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
      // After an error the server wants no more.
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
