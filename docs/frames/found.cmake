cmake_minimum_required(VERSION 3.16)
project(radio C)

@1

add_executable(radio main.c)
target_link_libraries(radio websockets)
