cmake_minimum_required(VERSION 3.16)
project(radio C)

include(FetchContent)
FetchContent_Declare(libwebsockets
    GIT_REPOSITORY https://libwebsockets.org/repo/libwebsockets
    GIT_TAG v4.3.3)
@1

add_executable(radio main.c)
target_link_libraries(radio websockets)
