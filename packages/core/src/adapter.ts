// For those who write an adapter for a Node server framework

// Responses
export { guardSend } from './adapter/guard-send.node.js';
// Options
export { type AdapterOptions, resolveServer, type ServerAndRecipient } from './adapter/options.js';
// Requests
export { readMessage } from './adapter/read-message.node.js';
export { type Located, locate, type Received, receive, takeRequest } from './adapter/request.node.js';
export {
  type GuardState,
  guardResponse,
  type Protection,
  type ResponseGuard,
} from './adapter/response-guard.node.js';
export { besideOwn, sendAnswer } from './adapter/response-head.node.js';
// Policies
export { mergedRows } from './policy/define-policy.js';
