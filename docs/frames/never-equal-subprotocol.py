import websocket

url = "wss://broker.example.com/mqtt"
@1
ws.close()
