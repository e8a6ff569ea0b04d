import json
import logging
from ctypes import CDLL, CFUNCTYPE, c_int, c_size_t, c_void_p, string_at

log = logging.getLogger(__name__)
lib = CDLL("libwebsockets.so.19")
CALLBACK = CFUNCTYPE(c_int, c_void_p, c_int, c_void_p, c_void_p, c_size_t)
LWS_CALLBACK_CLIENT_RECEIVE = 8


def handle(message):
    print(message)


@1
