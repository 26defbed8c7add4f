/** The files of a checked-out repository. */
export interface WorkTree {
  /** Its highest directory. */
  readonly top: string
  /** A linked one shares the repository of another work tree; a submodule is part of another one. */
  readonly kind: 'work-tree' | 'linked-worktree' | 'submodule'
  /** The top of the work tree that a linked one was made from; `null` if it is missing, or not known. */
  readonly main: string | null
  /** The file of git or Mercurial that says what is checked out; `null` if there is none. */
  readonly head: string | null
}
