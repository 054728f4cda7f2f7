import { runClientCases } from '../run.js';
import { axiosSubject } from './axios.js';

runClientCases(axiosSubject('fetch'));
