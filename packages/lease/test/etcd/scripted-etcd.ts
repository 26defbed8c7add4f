/** What etcd answers to a request: an object, text that is not JSON, a failure of the network, or what a function makes of it. */
export type Answer = object | string | Error | ((body: Record<string, unknown>) => Answer)

/** A request as it came: its path below `/v3/`, and what it said. */
export interface Asked {
  readonly member: string
  readonly path: string
  readonly body: Record<string, unknown>
  readonly headers: Headers
}

/** An etcd whose answers a test writes down. The real one is tested elsewhere; this is for what may come between two requests. */
export class ScriptedEtcd {
  readonly asked: Asked[] = []
  /** The answers to each path, in their order; the last one is repeated. */
  readonly answers = new Map<string, Answer[]>()
  /** The status of each answer. */
  status = 200

  /** Says what is answered to a path from now on. */
  answer(path: string, ...answers: Answer[]): void {
    this.answers.set(path, answers)
  }

  /** The paths that were asked for, in their order. */
  get paths(): string[] {
    return this.asked.map(({ path }) => path)
  }

  readonly fetch = async (url: string | URL | Request, init?: RequestInit): Promise<Response> => {
    init?.signal?.throwIfAborted()
    const { host, pathname } = new URL(url instanceof Request ? url.url : url)
    const path = pathname.replace(/^\/v3\//, '')
    const body = JSON.parse(init?.body as string) as Record<string, unknown>
    this.asked.push({ member: host, path, body, headers: new Headers(init?.headers) })
    const list = this.answers.get(path) ?? []
    let answer = (list.length > 1 ? list.shift() : list[0]) ?? {}
    while (typeof answer === 'function') answer = answer(body)
    if (answer instanceof Error) throw answer
    const text = typeof answer === 'string' ? answer : JSON.stringify(answer)
    return new Response(text, { status: this.status })
  }
}
