export { createSender, type Outcome, type Sender, type SenderOptions } from './page/credentials.js';
export type { Arrived, Logged, RequestLog } from './server/log.js';
export {
  type ConnectServer,
  type ConnectServerOptions,
  createConnectServer,
  type Listening,
  listen,
} from './server/server.js';
export { type Stack, type StackOptions, startStack } from './stack.js';
