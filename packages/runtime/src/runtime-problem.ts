/**
 * Why a directory is not a runtime:
 *
 * - `missing`: there is no such directory, or no `postgres` in it;
 * - `client-only`: client programs without a server;
 * - `wrapper`: `postgres` is a script that picks one of several versions (pg_wrapper, a shim of asdf or mise);
 * - `relative`: an entry of PATH that means another directory in each working directory;
 * - `not-executable`: nobody may execute `postgres`, or we may not;
 * - `wrong-platform`: it was built for another processor, system or C library;
 * - `missing-library`: a shared library that it needs is not found;
 * - `hung`: it did not print its version in time;
 * - `no-version`: it ended with an error, or printed something else;
 * - `wrong-version`: it is not the version that its package claims;
 * - `untrusted`: others could have made it;
 * - `unusable`: its package or its cache is damaged or cannot be reached.
 */
export type RuntimeProblem =
  | 'missing'
  | 'client-only'
  | 'wrapper'
  | 'relative'
  | 'not-executable'
  | 'wrong-platform'
  | 'missing-library'
  | 'hung'
  | 'no-version'
  | 'wrong-version'
  | 'untrusted'
  | 'unusable'
