import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { endHttpServer, listenOnLoopback, loopbackUrl } from '@howdah/fixtures'

/** What may go wrong with a request. */
export type Fault =
  | 'lost before it is done'
  | 'lost after it is done'
  | 'silent after it is done'
  | '500 before it is done'
  | '503 after it is done'
  | '409 before it is done'
  | 'done twice'
  | 'done later'

export const allFaults: readonly Fault[] = [
  'lost before it is done',
  'lost after it is done',
  'silent after it is done',
  '500 before it is done',
  '503 after it is done',
  '409 before it is done',
  'done twice',
  'done later',
]

/** Ways in which a store may differ from AWS's. */
export interface Habits {
  /** Ignores conditions in silence. */
  readonly ignores?: 'If-Match' | 'If-None-Match' | 'both'
  /** Compares etags without quotes. */
  readonly bareEtags?: boolean
  /** Answers 501 to conditions. */
  readonly refusesConditions?: boolean
}

interface Answer {
  readonly status: number
  readonly code?: string
  readonly etag?: string
  readonly body?: Buffer
}

/**
 * An S3 of objects in memory with conditional PUTs as AWS documents them: 412 if the condition does not hold, 404 for
 * If-Match on an object that is not there, 409 when another request is in its way.
 */
export class S3Server implements AsyncDisposable {
  readonly objects = new Map<string, { body: Buffer; etag: string }>()
  readonly requests: string[] = []
  habits: Habits = {}
  /** Which faults PUTs have, and what share of them. */
  faults: { readonly kinds: readonly Fault[]; readonly share: number } = { kinds: [], share: 0 }
  /** The next requests' faults, before any by chance. */
  readonly nextFaults: Fault[] = []
  readonly #server: Server

  private constructor(server: Server) {
    this.#server = server
    server.on('request', (request, response) => {
      this.#handle(request, response).catch(() => response.destroy())
    })
  }

  static async start(): Promise<S3Server> {
    const server = createServer({ keepAliveTimeout: 60_000 })
    await listenOnLoopback(server)
    return new S3Server(server)
  }

  get endpoint(): string {
    return loopbackUrl(this.#server)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await endHttpServer(this.#server)
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const key = decodeURIComponent(new URL(request.url ?? '/', 'http://s3').pathname.slice(1))
    const body = await buffer(request)
    this.requests.push(`${request.method} ${key}`)
    const fault = request.method === 'PUT' ? this.#fault() : undefined
    const run = () => this.#run(request, key, body)
    switch (fault) {
      case undefined:
        return send(response, run())
      case 'lost before it is done':
        return void response.destroy()
      case 'lost after it is done':
        run()
        return void response.destroy()
      case 'silent after it is done':
        return void run()
      case '500 before it is done':
        return send(response, { status: 500, code: 'InternalError' })
      case '503 after it is done':
        run()
        return send(response, { status: 503, code: 'SlowDown' })
      case '409 before it is done':
        return send(response, { status: 409, code: 'ConditionalRequestConflict' })
      case 'done twice':
        run()
        return send(response, run())
      case 'done later':
        setTimeout(run, Math.random() * 60)
        return send(response, { status: 500, code: 'InternalError' })
    }
  }

  #fault(): Fault | undefined {
    const next = this.nextFaults.shift()
    if (next !== undefined) return next
    const { kinds, share } = this.faults
    return Math.random() < share ? kinds[Math.floor(Math.random() * kinds.length)] : undefined
  }

  #run({ method, headers }: IncomingMessage, key: string, body: Buffer): Answer {
    const object = this.objects.get(key)
    if (!key.startsWith('leases/')) return { status: 404, code: 'NoSuchBucket' }
    if (method === 'DELETE') {
      this.objects.delete(key)
      return { status: 204 }
    }
    if (method === 'GET') {
      return object === undefined
        ? { status: 404, code: 'NoSuchKey' }
        : { status: 200, etag: object.etag, body: object.body }
    }
    if (method !== 'PUT') return { status: 501, code: 'NotImplemented' }
    const { ignores, bareEtags, refusesConditions } = this.habits
    const mustBeAbsent = headers['if-none-match'] !== undefined && !/None|both/.test(ignores ?? '')
    const wanted = /If-Match|both/.test(ignores ?? '') ? undefined : headers['if-match']
    if (refusesConditions && (mustBeAbsent || wanted))
      return { status: 501, code: 'NotImplemented' }
    if (mustBeAbsent && object !== undefined) return { status: 412, code: 'PreconditionFailed' }
    if (wanted !== undefined) {
      if (object === undefined) return { status: 404, code: 'NoSuchKey' }
      const present = bareEtags ? object.etag.slice(1, -1) : object.etag
      if (wanted !== present) return { status: 412, code: 'PreconditionFailed' }
    }
    const etag = `"${createHash('md5').update(body).digest('hex')}"`
    this.objects.set(key, { body, etag })
    return { status: 200, etag }
  }
}

function send(response: ServerResponse, { status, code, etag, body }: Answer): void {
  const headers = etag === undefined ? {} : { etag }
  if (code === undefined) {
    response.writeHead(status, { ...headers, 'content-length': body?.length ?? 0 }).end(body)
  } else {
    const text = `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`
    response.writeHead(status, { 'content-type': 'application/xml' }).end(text)
  }
}
