import websocket

@1
print(ws.recv())
ws.close()
