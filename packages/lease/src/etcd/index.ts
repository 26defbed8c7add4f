export { createEtcdLeaser, type EtcdLeaserOptions } from './create-etcd-leaser.ts'
export type { EtcdUser } from './etcd-gateway.ts'
export type { EtcdTls } from './etcd-sender.ts'
