import { dirname } from 'node:path'
import type { ScopeRule } from '../../src/index.ts'

/** An allocation in the model. */
export interface Member {
  readonly name: string
  readonly pid: number
  readonly allow: readonly ScopeRule[]
  readonly deny: readonly ScopeRule[]
  readonly parent: string | undefined
  readonly segmentId: number | undefined
  readonly reserved: boolean
}

/**
 * The owner of each path of a small tree, found by looking at every path.
 *
 * The tree is two levels deeper than the rules, and each directory has a name that no rule mentions. So a statement about its
 * paths holds for all paths.
 */
export class OwnerModel {
  readonly paths: readonly string[]
  members: Member[] = []

  constructor(root: string, names: string[], depth: number) {
    const paths = [root]
    let level = [root]
    for (let below = 0; below < depth; below++) {
      level = level.flatMap((path) => names.map((name) => `${path}/${name}`))
      paths.push(...level)
    }
    this.paths = paths
  }

  find(name: string): Member | undefined {
    return this.members.find((member) => member.name === name)
  }

  /** The expected verdict of registering. */
  register(member: Member): string {
    if (this.find(member.name)) return 'ERR_REGISTRY_DUPLICATE'
    if (this.#holdsSegment(member)) return 'ERR_REGISTRY_SEGMENT_HELD'
    if (this.#clashes(member, this.members)) return 'ERR_REGISTRY_CONFLICT'
    this.members.push(member)
    return 'done'
  }

  /** The expected verdict of delegating. */
  delegate(member: Member): string {
    const parent = this.find(member.parent!)
    if (!parent) return 'ERR_REGISTRY_UNKNOWN_PARENT'
    if (this.find(member.name)) return 'ERR_REGISTRY_DUPLICATE'
    if (this.#holdsSegment(member)) return 'ERR_REGISTRY_SEGMENT_HELD'
    const below = this.#below(parent)
    for (const path of this.paths) {
      if (!may(member, path) || this.#effectively(parent, path)) continue
      const another = below.some((other) => may(other, path))
      if (!may(parent, path) || !another) return 'ERR_REGISTRY_NOT_A_SUBSET'
    }
    if (this.#clashes(member, below)) return 'ERR_REGISTRY_CONFLICT'
    this.members.push(member)
    return 'done'
  }

  /** The expected verdict of adopting with the right token. */
  adopt(name: string, pid: number, segmentId: number | undefined): string {
    const member = this.find(name)
    if (!member) return 'ERR_REGISTRY_UNKNOWN'
    if (!member.reserved) return 'ERR_REGISTRY_NOT_RESERVED'
    const adopted = { ...member, pid, reserved: false, segmentId: segmentId ?? member.segmentId }
    if (this.#holdsSegment({ ...adopted, segmentId })) return 'ERR_REGISTRY_SEGMENT_HELD'
    this.members = this.members.map((other) => (other === member ? adopted : other))
    return 'done'
  }

  /** Removes allocations one after the other, and gives the parts of each to its parent. */
  remove(gone: (member: Member) => boolean): void {
    for (let found = this.members.find(gone); found; found = this.members.find(gone)) {
      const { name, parent } = found
      this.members = this.members
        .filter((member) => member.name !== name)
        .map((member) => (member.parent === name ? reparented(member, parent) : member))
    }
  }

  /** All allocations that effectively may write a path. */
  owners(path: string): string[] {
    return this.members.filter((member) => this.#effectively(member, path)).map(({ name }) => name)
  }

  #effectively(member: Member, path: string): boolean {
    return may(member, path) && !this.#below(member).some(({ allow }) => covered(allow, path))
  }

  #below(member: Member): Member[] {
    const children = this.members.filter(({ parent }) => parent === member.name)
    return children.concat(children.flatMap((child) => this.#below(child)))
  }

  #holdsSegment({ name, segmentId }: Member): boolean {
    return (
      segmentId !== undefined &&
      this.members.some((other) => other.segmentId === segmentId && other.name !== name)
    )
  }

  #clashes(member: Member, others: readonly Member[]): boolean {
    return this.paths.some((path) => may(member, path) && others.some((other) => may(other, path)))
  }
}

function reparented(member: Member, parent: string | undefined): Member {
  return { ...member, parent }
}

function may({ allow, deny }: Pick<Member, 'allow' | 'deny'>, path: string): boolean {
  return covered(allow, path) && !covered(deny, path)
}

function covered(rules: readonly ScopeRule[], path: string): boolean {
  return rules.some(
    ({ permission, recursive, target }) =>
      permission === 'write' &&
      (path === target || (recursive ? path.startsWith(`${target}/`) : dirname(path) === target)),
  )
}
