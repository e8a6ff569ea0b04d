import websocket

url = "wss://broker.example.com/mqtt"
ws = websocket.create_connection(url, subprotocols=["mqtt"])
@1
    raise ConnectionError("the broker does not speak MQTT")
ws.close()
