import { expect, test } from 'vitest';
import { BadDescription, readBanks, readFields } from './bank.js';

const FIELD = { name: 'login', label: 'Identifier' };

test('fields are read with what there is to them', () => {
  const values = [{ label: 'A', value: 'a' }];
  expect(
    readFields([FIELD, { ...FIELD, name: 'b', type: 'list', required: false, regex: 'x', values }]),
  ).toEqual([
    { ...FIELD, type: 'text', required: true },
    { ...FIELD, name: 'b', type: 'list', required: false, regex: 'x', values },
  ]);
});

test.each(['constructor', 'prototype', '__proto__', 'id_connector'])(
  'a bank with a field called %s is refused: its value would not arrive',
  (name) => {
    const fields = [FIELD, { ...FIELD, name }];
    expect(() => readFields(fields)).toThrow(BadDescription);
    expect(() => readBanks({ connectors: [{ id: 1, name: 'B', fields }] })).toThrow(BadDescription);
  },
);

test('so is one with two fields of one name: one of the values would be lost', () => {
  expect(() => readFields([FIELD, { ...FIELD, label: 'Other' }])).toThrow('Two fields have one name');
});

test.each([
  undefined,
  {},
  { connectors: [{ id: '1', name: 'B', fields: [] }] },
  { connectors: [{ id: 1, fields: [] }] },
  { connectors: [{ id: 1, name: 'B', fields: [{ name: 'a' }] }] },
])('a description of another shape is refused: %j', (description) => {
  expect(() => readBanks(description)).toThrow(BadDescription);
});
