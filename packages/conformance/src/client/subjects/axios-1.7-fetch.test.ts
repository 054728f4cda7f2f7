import axios from 'axios';
import { expect, it, vi } from 'vitest';
import { runClientCases } from '../run.js';
import { axiosSubject } from './axios.js';

// A user has one axios, so that the interceptor, too, must get this one.
vi.mock('axios', () => import('axios-lowest'));

it('these cases run against the lowest supported axios', () => expect(axios.VERSION).toBe('1.7.0'));

runClientCases(axiosSubject('fetch'));
