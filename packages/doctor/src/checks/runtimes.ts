import { dirname } from 'node:path'
import type { Diagnosis, Runtime, RuntimeProblem, Strategy } from '@howdah/runtime'
import { type DataDirectory, quote, serverEnvironment } from '@howdah/data-directory'
import { Cluster } from '@howdah/cluster'
import type { Check, Complaint } from '../check.ts'
import { noexecMount } from './noexec-mount.ts'
import { ofEach } from '../of-each.ts'

/** PostgreSQLs that do not run here, and clusters without a PostgreSQL. */
export const runtimes: Check = {
  name: 'runtimes',
  async examine(scene) {
    const { strategy } = scene
    const [found, diagnoses] = await Promise.all([strategy.runtimes(), strategy.diagnose()])
    const broken = await Promise.all(found.map(brokenPrograms))
    const wanting = await ofEach(scene, async (one) => await withoutRuntime(one, strategy))
    const severity = found.length === 0 ? 'error' : 'warning'
    const leftOut = await Promise.all(
      diagnoses
        .filter(({ problem }) => !harmless.has(problem))
        .map((diagnosis) => complaintOf(diagnosis, severity)),
    )
    const none = found.length === 0 ? [nothing] : []
    return [...none, ...leftOut, ...broken.flat(), ...wanting]
  },
}

const nothing: Complaint = {
  severity: 'error',
  subject: {},
  what: 'no PostgreSQL is found here that runs',
  cure: 'install one: howdah runtimes install 18',
}

/** Problems that are harmless: a machine may have only psql, or a program that chooses between versions. */
const harmless: ReadonlySet<RuntimeProblem> = new Set([
  'missing',
  'client-only',
  'wrapper',
  'relative',
])

/** The complaint about a PostgreSQL that does not run. */
async function complaintOf(
  { path, problem, message }: Diagnosis,
  severity: 'error' | 'warning',
): Promise<Complaint> {
  const mount = problem === 'not-executable' ? await noexecMount(path) : null
  const where = mount === null ? '' : ` (${mount} is mounted noexec)`
  const [what = message, ...remedies] = message.split('; ')
  const cure = remedies.length > 0 ? remedies.join('; ') : cureOf(path, problem, mount)
  return { severity, subject: { path }, what: what + where, cure }
}

function cureOf(path: string, problem: RuntimeProblem, mount: string | null): string {
  if (mount !== null) {
    return `mount ${mount} without noexec, or keep it elsewhere (for howdah's own: HOWDAH_CACHE_DIR)`
  }
  const postgres = quote(`${path}/postgres`)
  const cures: Partial<Record<RuntimeProblem, string>> = {
    'missing-library': 'install the package with that library, or install this PostgreSQL anew',
    'wrong-platform': `remove it, and install one for ${process.platform} on ${process.arch}`,
    'not-executable': `let everybody run it: chmod a+rx ${postgres}`,
    hung: `see what it waits for: ${postgres} --version`,
  }
  return cures[problem] ?? 'install this PostgreSQL anew, or take its directory off PATH'
}

/** Checks initdb and psql, because a working server program does not prove that their libraries are found, too. */
async function brokenPrograms(runtime: Runtime): Promise<Complaint[]> {
  const programs = ['initdb', 'psql'].filter((name) => runtime.has(name))
  const tried = await Promise.all(
    programs.map(async (name): Promise<Complaint[]> => {
      const words = await failureOf(runtime, name)
      if (words === null) return []
      const { bindir, version } = runtime
      return [
        {
          severity: 'warning',
          subject: { path: runtime.program(name), version: version.toString() },
          what: `${runtime.program(name)} does not run: ${words}`,
          cure: `install PostgreSQL ${version.major} anew, or what it misses, or take ${dirname(bindir)} out of the way`,
        },
      ]
    }),
  )
  return tried.flat()
}

async function failureOf(runtime: Runtime, name: string): Promise<string | null> {
  const { failed, all, message } = await runtime.execute(name, ['--version'], {
    env: serverEnvironment(runtime.bindir),
    extendEnv: false,
    cwd: '/',
    stdin: 'ignore',
    all: true,
    timeout: 5_000,
    reject: false,
  })
  if (!failed) return null
  return all?.trim().slice(0, 500) || (message ?? 'it fails')
}

async function withoutRuntime({ path }: DataDirectory, strategy: Strategy): Promise<Complaint[]> {
  const cluster = new Cluster(path, { strategy })
  try {
    // A running server has a PostgreSQL.
    if ((await cluster.exists()) && !(await cluster.running())) await cluster.runtime()
    return []
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code !== 'ERR_RUNTIME_NOT_FOUND' && code !== 'ERR_CLUSTER_UNSUPPORTED_VERSION') throw error
    const version = (await cluster.version())?.toString()
    const [why = message, cure = 'install one'] = message.split('; ')
    return [
      {
        severity: 'error',
        subject: { path, ...(version !== undefined && { version }) },
        what: `the cluster in ${path} cannot run: ${why}`,
        cure,
      },
    ]
  }
}
