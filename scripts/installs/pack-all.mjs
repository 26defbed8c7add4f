import { execFileSync } from 'node:child_process'

/**
 * Packs every publishable package of the workspace, or those that are wanted, into a directory, and gives their names and tarballs.
 *
 * The packages of other platforms are packed without their binaries, because nobody here will fetch them, unless `everyPlatform` says
 * otherwise.
 */
export function packAll(root, destination, isWanted = () => true, { everyPlatform = false } = {}) {
  const list = execFileSync('pnpm', ['-r', 'list', '--depth=-1', '--json'], {
    cwd: root,
    encoding: 'utf8',
  })
  return JSON.parse(list)
    .filter((one) => one.private !== true && one.path !== root && isWanted(one.name))
    .map(({ name, path }) => {
      const output = execFileSync('pnpm', ['pack', '--json', '--pack-destination', destination], {
        cwd: path,
        encoding: 'utf8',
        env: { ...process.env, npm_config_ignore_scripts: String(!everyPlatform) },
      })
      const tarball = JSON.parse(output).filename
      return { name, manifest: manifestIn(tarball), tarball }
    })
}

/** The manifest as it was packed: without references to the workspace. */
export function manifestIn(tarball) {
  const text = execFileSync('tar', ['-xzOf', tarball, 'package/package.json'], { encoding: 'utf8' })
  return JSON.parse(text)
}
