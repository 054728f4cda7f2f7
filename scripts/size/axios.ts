/* The client end in the interceptors of Axios. */
import { e2ee } from '@e2ee/axios-interceptor';
import { powens, remoteJwks } from '@e2ee/core';
import axios from 'axios';

e2ee(axios, { profile: powens, encryptionKeys: remoteJwks('https://api.example/publickey') });
