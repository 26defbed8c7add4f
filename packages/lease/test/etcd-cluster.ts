import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { freePorts, temporaryDirectory, until } from '@howdah/fixtures'

/** Debian's package has it on the PATH. */
const program = 'etcd'

/** Why there is no etcd to test with; `null` if there is one. */
export const whyNoEtcd: string | null =
  spawnSync(program, ['--version']).status === 0
    ? null
    : 'etcd is not installed (Debian: apt-get install etcd-server)'

interface Member {
  readonly url: string
  readonly args: readonly string[]
  process: ChildProcess
}

/** A real etcd of three members on the loopback. */
export class EtcdCluster implements AsyncDisposable {
  readonly #members: Member[] = []
  readonly #directory = temporaryDirectory()

  static async start(): Promise<EtcdCluster> {
    const cluster = new EtcdCluster()
    const ports = await freePorts(6)
    const names = ['one', 'two', 'three']
    const peers = names.map((name, index) => `${name}=http://127.0.0.1:${ports[index + 3]}`)
    names.forEach((name, index) => {
      const url = `http://127.0.0.1:${ports[index]}`
      const peer = `http://127.0.0.1:${ports[index + 3]}`
      const options = {
        name: name,
        'data-dir': cluster.#directory.file(name),
        'listen-client-urls': url,
        'advertise-client-urls': url,
        'listen-peer-urls': peer,
        'initial-advertise-peer-urls': peer,
        'initial-cluster': peers.join(','),
        'initial-cluster-state': 'new',
        logger: 'zap',
        'log-outputs': '/dev/null',
      }
      const args = Object.entries(options).map(([option, value]) => `--${option}=${value}`)
      cluster.#members.push({ url, args, process: launch(args) })
    })
    await until('etcd has a leader', () => cluster.isHealthy(), 60_000)
    return cluster
  }

  get endpoints(): string[] {
    return this.#members.map(({ url }) => url)
  }

  /** The index of the leader, asked of a member. */
  async leader(): Promise<number> {
    for (const { url } of this.#members) {
      const status = await post(url, '/v3/maintenance/status', {}).catch(() => null)
      const leader = status?.['leader']
      if (typeof leader !== 'string' || leader === '0') continue
      for (const [index, member] of this.#members.entries()) {
        const own = await post(member.url, '/v3/maintenance/status', {}).catch(() => null)
        if ((own?.['header'] as { member_id?: string } | undefined)?.member_id === leader)
          return index
      }
    }
    throw new Error('etcd has no leader')
  }

  async kill(index: number): Promise<void> {
    const { process } = this.#members[index]!
    const exit = once(process, 'exit')
    process.kill('SIGKILL')
    await exit
  }

  async restart(index: number): Promise<void> {
    const member = this.#members[index]!
    member.process = launch(member.args)
    await until('the member is back', () => isHealthy(member.url), 60_000)
  }

  async isHealthy(): Promise<boolean> {
    const healthy = await Promise.all(this.#members.map(({ url }) => isHealthy(url)))
    return healthy.every(Boolean)
  }

  /** A request of the test's own. */
  async ask(path: string, body: object): Promise<Record<string, unknown>> {
    for (const url of this.endpoints) {
      const answer = await post(url, path, body).catch(() => null)
      if (answer !== null) return answer
    }
    throw new Error('no member of etcd answers')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      this.#members.map(async ({ process }) => {
        if (process.exitCode !== null || process.signalCode !== null) return
        const exit = once(process, 'exit')
        process.kill('SIGKILL')
        await exit
      }),
    )
    this.#directory[Symbol.dispose]()
  }
}

function launch(args: readonly string[]): ChildProcess {
  return spawn(program, args, { stdio: 'ignore' })
}

async function isHealthy(url: string): Promise<boolean> {
  const answer = await post(url, '/v3/kv/range', { key: 'AA==' }).catch(() => null)
  return answer?.['header'] !== undefined
}

async function post(url: string, path: string, body: object): Promise<Record<string, unknown>> {
  const response = await fetch(`${url}${path}`, {
    method: 'POST',
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(1_000),
  })
  return (await response.json()) as Record<string, unknown>
}
