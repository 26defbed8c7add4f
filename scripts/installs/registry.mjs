import { execFile, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'

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

  /** Publishes tarballs. */
  async publish(tarballs) {
    for (const tarball of tarballs) {
      await promisify(execFile)('npm', [
        'publish',
        tarball,
        `--registry=${this.url}`,
        `--//127.0.0.1:${this.port}/:_authToken=anybody`,
        '--tag=latest',
        '--ignore-scripts',
        '--provenance=false',
      ])
    }
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
