export { type AggregatorOptions, createAggregator } from './aggregator.js';
export type { Connector, ConnectorField } from './connectors.js';
export type { Answer, Call, HandledCall, OnHandled } from './handler.js';
