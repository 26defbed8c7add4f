import { execFileSync, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const verdaccio = 'verdaccio@6.8.0'

/** A registry on loopback that holds our packages, and passes on the others of npm's configured registry. */
export class Registry {
  /** The port on 127.0.0.1. */
  port
  #process
  #directory

  /** Starts one; the packages of others are kept in `directory` for the next time. */
  static async start(tools, directory) {
    const registry = new Registry()
    registry.#directory = directory
    mkdirSync(directory, { recursive: true })
    for (const ours of ['howdah', '@howdah']) registry.#forget(ours)
    rmSync(join(directory, 'htpasswd'), { force: true })
    const config = join(directory, 'config.yaml')
    writeFileSync(config, configuration())
    // The tag `cjs` that one of its dependencies asks for is missing in some mirrors.
    const project = tools.installed(verdaccio, { 'node-fetch': '2.7.0' })
    registry.port = await freePort()
    const log = []
    const server = spawn(
      process.execPath,
      [
        join(project, 'node_modules/verdaccio/bin/verdaccio'),
        `--config=${config}`,
        `--listen=127.0.0.1:${registry.port}`,
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    )
    for (const stream of [server.stdout, server.stderr]) stream.on('data', (data) => log.push(data))
    registry.#process = server
    while (!(await registry.#answers())) {
      if (server.exitCode !== null)
        throw new Error(`the registry ended: ${Buffer.concat(log).toString()}`)
      await sleep(50)
    }
    return registry
  }

  get url() {
    return `http://127.0.0.1:${this.port}/`
  }

  /** Publishes a packed package, as `npm publish` does, which takes a second for each. */
  async publish({ name, manifest, tarball }) {
    const data = readFileSync(tarball)
    const hash = (algorithm, encoding) => createHash(algorithm).update(data).digest(encoding)
    const file = `${name}-${manifest.version}.tgz`
    const dist = {
      integrity: `sha512-${hash('sha512', 'base64')}`,
      shasum: hash('sha1', 'hex'),
      tarball: `${this.url}${name}/-/${file}`,
    }
    const version = { ...manifest, _id: `${name}@${manifest.version}`, dist }
    const response = await fetch(`${this.url}${name.replace('/', '%2f')}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        _id: name,
        name,
        'dist-tags': { latest: manifest.version },
        versions: { [manifest.version]: version },
        _attachments: { [file]: { data: data.toString('base64'), length: data.length } },
      }),
    })
    if (!response.ok) throw new Error(`${name} was not published: ${await response.text()}`)
  }

  /** The token of a new user. `npm publish` needs one. */
  async token() {
    const response = await fetch(`${this.url}-/user/org.couchdb.user:somebody`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'somebody', password: 'loopback' }),
    })
    if (!response.ok) throw new Error(`nobody may publish: ${await response.text()}`)
    return (await response.json()).token
  }

  async stop() {
    this.#process.kill()
    if (this.#process.exitCode === null) await once(this.#process, 'exit')
    for (const ours of ['howdah', '@howdah']) this.#forget(ours)
  }

  #forget(name) {
    rmSync(join(this.#directory, 'storage', name), { recursive: true, force: true })
  }

  async #answers() {
    return fetch(`${this.url}-/ping`).then(
      ({ ok }) => ok,
      () => false,
    )
  }
}

function configuration() {
  const upstream = execFileSync('npm', ['config', 'get', 'registry'], { encoding: 'utf8' }).trim()
  const proxy = process.env.HTTPS_PROXY ?? process.env.https_proxy
  return `storage: ./storage
auth: { htpasswd: { file: ./htpasswd } }
uplinks:
  upstream:
    url: ${upstream}
    maxage: 12h
    timeout: 60s
${proxy === undefined ? '' : `https_proxy: ${proxy}`}
packages:
  'howdah': { access: $all, publish: $all }
  '@howdah/*': { access: $all, publish: $all }
  '**': { access: $all, proxy: upstream }
max_body_size: 200mb
web: { enable: false }
log: { type: stdout, format: pretty, level: error }
`
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}
