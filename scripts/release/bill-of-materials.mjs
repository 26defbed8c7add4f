import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * What a project in which our packages are installed consists of, in the form of CycloneDX: the packages by npm's own account, and in
 * each of ours what it holds of others.
 */
export function billOfMaterials(project, env) {
  const options = ['--sbom-format=cyclonedx', '--omit=dev']
  const bill = JSON.parse(
    execFileSync('npm', ['sbom', ...options], { cwd: project, env, encoding: 'utf8' }),
  )
  for (const component of bill.components) {
    const directory = join(project, 'node_modules', component.name)
    const isOurs = /^(howdah$|@howdah\/)/.test(component.name)
    const parts = isOurs ? [...bundled(join(directory, 'dist')), ...built(directory)] : []
    if (parts.length > 0) component.components = parts
  }
  return bill
}

/** The packages that were bundled, as the notices say that the build has written. */
function bundled(dist) {
  const files = existsSync(dist) ? readdirSync(dist) : []
  const notices = files.filter((name) => name.endsWith('NOTICES.txt'))
  const text = notices.map((name) => readFileSync(join(dist, name), 'utf8')).join('\n')
  const heads = text.matchAll(/^(\S.*) (\d\S*) \(([\w.-]+)\)$/gm)
  return [...heads].map(([, name, version, id]) => ({
    type: 'library',
    name,
    version,
    licenses: [{ license: { id } }],
  }))
}

/** What the binaries of a platform are made of, which NOTICES.md lists without versions. */
function built(directory) {
  const file = join(directory, 'NOTICES.md')
  if (!existsSync(join(directory, 'native')) || !existsSync(file)) return []
  const { os } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'))
  const system = { linux: 'Linux', darwin: 'macOS' }[os[0]]
  const rows = readFileSync(file, 'utf8').matchAll(/^\| (.+?) \| (.+?) \| (.+?) \| <(.+?)>.*\|$/gm)
  return [...rows]
    .filter(([, , where]) => ['everywhere', system].includes(where))
    .map(([, name, , licence, url]) => ({
      type: 'library',
      name,
      licenses: [{ license: { name: licence.replace(/ \(.*/, '') } }],
      externalReferences: [{ type: 'website', url }],
    }))
}
