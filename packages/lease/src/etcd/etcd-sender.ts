import { Agent, request } from 'node:https'

/** Sends a request to a member of etcd, and gives its whole answer. */
export type EtcdSender = (
  url: string,
  message: {
    readonly headers: Readonly<Record<string, string>>
    readonly body: string
    readonly signal: AbortSignal
  },
) => Promise<{ readonly status: number; readonly text: string }>

/** The certificates by which members and this client identify themselves, in PEM, as for Node's `tls`. */
export interface EtcdTls {
  /** The certificates of trusted authorities, instead of Node's own. */
  readonly ca?: string | Buffer | readonly (string | Buffer)[] | undefined
  /** The client's certificate. */
  readonly cert?: string | Buffer | undefined
  /** The key of the client's certificate. */
  readonly key?: string | Buffer | undefined
}

/** Sends by `fetch`. */
export function fetchSender(send: typeof fetch): EtcdSender {
  return async (url, message) => {
    const response = await send(url, { method: 'POST', ...message })
    return { status: response.status, text: await response.text() }
  }
}

/** Sends by Node's HTTPS module, because `fetch` takes no certificates. Idle connections do not keep the process alive. */
export function tlsSender({ ca, cert, key }: EtcdTls): EtcdSender {
  const agent = new Agent({
    keepAlive: true,
    ca: Array.isArray(ca) ? [...ca] : (ca as string | Buffer | undefined),
    cert,
    key,
  })
  return async (url, { headers, body, signal }) =>
    await new Promise((resolve, reject) => {
      const sent = request(url, { method: 'POST', agent, headers, signal }, (response) => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (chunk: string) => (text += chunk))
        response.once('end', () => resolve({ status: response.statusCode ?? 0, text }))
        response.once('error', reject)
      })
      sent.once('error', reject)
      sent.end(body)
    })
}
